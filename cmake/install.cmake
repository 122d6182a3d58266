# What `cmake --install` puts where, and how other projects find it.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Verso")

install(TARGETS verso verso_static EXPORT VersoTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES include/verso.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(VERSO_TOOLS)
    install(TARGETS verso_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

install(EXPORT VersoTargets NAMESPACE Verso:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/VersoConfig.cmake.in VersoConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/VersoConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/VersoConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/VersoConfigVersion.cmake"
    DESTINATION "${package_dir}")

# verso.pc leads to the library by its own place, so that an installed tree may be moved.
file(RELATIVE_PATH pc_to_prefix
    "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file(cmake/verso.pc.in verso.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/verso.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
