# How each target of this project is compiled: the language, the warnings, the sanitisers.

set(VERSO_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wundef -Wcast-qual -Wpointer-arith -Wformat=2 -Wswitch-enum)

# Where asserts are compiled away, what only they use is unused, and what they rule out looks possible;
# the builds with asserts tell what truly is.
set(VERSO_WARNINGS_WITHOUT_ASSERTS
    -Wno-unused-function -Wno-unused-variable -Wno-unused-but-set-variable -Wno-unused-parameter
    $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

function(verso_own_target target)
    target_compile_features(${target} PRIVATE c_std_11)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11
        C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE _FILE_OFFSET_BITS=64)
    target_compile_options(${target} PRIVATE
        ${VERSO_WARNINGS}
        "$<$<NOT:$<CONFIG:Debug>>:${VERSO_WARNINGS_WITHOUT_ASSERTS}>"
        $<$<BOOL:${VERSO_WERROR}>:-Werror>)
    if(VERSO_SANITIZE)
        # GCC's thread sanitiser does not model fences: -Wtsan says so wherever one stands.
        target_compile_options(${target} PRIVATE
            -fsanitize=${VERSO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
            $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
        target_link_options(${target} PRIVATE -fsanitize=${VERSO_SANITIZE})
    endif()
endfunction()
