# Writes man pages and completions with the program that was just built (MW_PROGRAM) to their places.
# SPDX-License-Identifier: MIT
set(mw_share "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${MW_SHARE}")

function(mw_write_with)
	cmake_parse_arguments(RUN "" "INTO" "" ${ARGN})
	set(output "")
	if(RUN_INTO)
		set(output OUTPUT_FILE "${RUN_INTO}")
	endif()
	execute_process(COMMAND ${MW_PROGRAM} ${RUN_UNPARSED_ARGUMENTS} ${output} RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "millwright ${ARGN}: ${status}")
	endif()
endfunction()

message(STATUS "Writing man pages and completions")
set(mw_man "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${MW_MAN}")
file(MAKE_DIRECTORY "${mw_man}")
mw_write_with(help --man "${mw_man}")
foreach(row bash:bash-completion/completions/millwright zsh:zsh/site-functions/_millwright
		fish:fish/vendor_completions.d/millwright.fish)
	string(REPLACE ":" ";" row ${row})
	list(GET row 0 shell)
	list(GET row 1 name)
	get_filename_component(folder "${mw_share}/${name}" DIRECTORY)
	file(MAKE_DIRECTORY "${folder}")
	mw_write_with(completion ${shell} INTO "${mw_share}/${name}")
endforeach()
