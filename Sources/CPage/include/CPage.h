#ifndef CPAGE_H
#define CPAGE_H

#include <stddef.h>

/// The parts of the operator's page, as bytes: the markup, the style sheet, and the scripts in their order.
unsigned CPage_count(void);

/// The bytes of a part, from 0; of the last one for a larger number.
const unsigned char *CPage_bytes(unsigned place);
size_t CPage_size(unsigned place);

#endif
