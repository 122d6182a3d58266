# Run `program` in the emptied `folder`, where its store of an earlier run does not disturb it, and
# compare what it prints with the file `expected`.
file(REMOVE_RECURSE "${folder}")
file(MAKE_DIRECTORY "${folder}")
execute_process(COMMAND "${program}" WORKING_DIRECTORY "${folder}"
    RESULT_VARIABLE result OUTPUT_VARIABLE printed)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${program} ended with ${result}")
endif()
file(READ "${expected}" wanted)
if(NOT printed STREQUAL wanted)
    message(FATAL_ERROR "${program} printed\n${printed}instead of\n${wanted}")
endif()
