/*
 * api_transaction.h - a transaction's calls, as the bytes of an input say.
 */
#ifndef VERSO_TESTS_FUZZ_API_TRANSACTION_H
#define VERSO_TESTS_FUZZ_API_TRANSACTION_H

#include "api_model.h"
#include "api_state.h"

/** Change the transaction and the state alike, until the input says that it is enough. */
void api_transaction_play(verso_txn *txn, struct api_state *state, struct api_input *input);

#endif
