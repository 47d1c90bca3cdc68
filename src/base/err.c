/* SPDX-License-Identifier: ISC */
/*
 * The rows of tbl/errors.h as an array. OK has the first row, so that err_t is its index; the
 * last row answers for numbers that no row has.
 */
#include "err.h"

static const struct err_row rows[] = {
    [OK] = {"ok", "no error", 200, OCSP_SUCCESSFUL, NEGATIVE_NONE, LEVEL_DEBUG},
#define ERROR(id, label, http, ocsp, negative, level, text) \
	[ERR_##id] = {label, text, http, ocsp, negative, level},
#include "tbl/errors.h"
#undef ERROR
    [N_ERRORS] = {"undefined", "error number that no table row has", 200, OCSP_INTERNAL_ERROR,
		  NEGATIVE_NONE, LEVEL_ERROR},
};

const struct err_row *err_row(err_t err)
{
	return &rows[(unsigned)err < N_ERRORS ? (unsigned)err : (unsigned)N_ERRORS];
}
