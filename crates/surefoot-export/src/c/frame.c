/* A network @NETWORK@, written by `surefoot export --to c`.
 *
 * C99, without allocation. It gives the bits of `surefoot predict` where the compiler neither joins nor reorders operations, and fma and
 * sqrt of <math.h> are IEEE 754's: gcc -std=c99 -O2 -ffp-contract=off, with -mfma (or -march=native) where the CPU has it, else -lm. Never
 * -ffast-math.
 *
 *     double numbers[SUREFOOT_NUMBERS];       the numbers of a row, NaN where one is missing
 *     const char *texts[SUREFOOT_TEXTS];      its texts in UTF-8, "" or a null pointer where one is missing
 *     double outputs[SUREFOOT_OUTPUTS];
 *     if (surefoot_predict(numbers, texts, outputs) != 0) the row is refused: a number is missing that has to be there, or not finite
 *
 * A model without texts takes a null pointer for them.
 *
@COLUMNS@ */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define SUREFOOT_NUMBERS @NUMBERS@
#define SUREFOOT_TEXTS @TEXTS@
#define SUREFOOT_OUTPUTS @OUTPUTS@

typedef @REAL@ real;
