/* SPDX-License-Identifier: ISC */
/*
 * What a step of a story returns. Waiting is a value, not a call stack: whoever waits is resumed at
 * the step after the one that returned STEP_WAIT.
 */
#ifndef OCSPRELAY_RELAY_STEP_H
#define OCSPRELAY_RELAY_STEP_H

enum step {
	STEP_NEXT,  /* go on */
	STEP_WAIT,  /* something under way resumes the story */
	STEP_AGAIN, /* back to the step that the story names for it */
	STEP_DONE,  /* to the story's last step */
	STEP_FAIL   /* the same, with the reason in the story's err */
};

#endif
