#ifndef CPCRE2_H
#define CPCRE2_H

// Code units are bytes: patterns and values are UTF-8.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#endif
