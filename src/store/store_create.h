/*
 * store_create.h - making a new store file, whole or not at all.
 */
#ifndef VERSO_STORE_STORE_CREATE_H
#define VERSO_STORE_STORE_CREATE_H

#include "store/store.h"

/**
 * Write an empty store under a temporary name, sync it, rename it to `config->path`, sync the
 * directory. It is not open afterwards.
 *
 * @retval VERSO_BUSY    Somebody else is creating it at this moment.
 * @retval VERSO_EXISTS  Somebody else has created it meanwhile: open that.
 */
verso_err vs_store_create(const struct vs_store_config *config);

#endif
