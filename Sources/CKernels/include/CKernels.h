// Hot loops, compiled for several instruction sets and dispatched at run time.
#pragma once
#include "label_posterior.h"
#include "networks.h"
#include "prior_likelihood.h"
