/** Which handlers are compares: for whoever joins them with what follows. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_ALU_H
#define ACCEL_SOFT_ALU_H

#include "accel/soft/decode/decode.h"

/** Operand forms, destination first: register, immediate, memory. */
enum soft_form { SOFT_FORM_RR, SOFT_FORM_RI, SOFT_FORM_RM, SOFT_FORM_MR, SOFT_FORM_MI, SOFT_FORMS };

struct soft_compare_form {
	bool test;     /* TEST, else CMP */
	unsigned size; /* log2 of the bytes */
	unsigned form;
};
/** Whether the handler is a CMP's or TEST's, and which. */
bool soft_alu_compare_form(soft_handler *run, struct soft_compare_form *form);

#endif
