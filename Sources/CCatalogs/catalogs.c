#include "CCatalogs.h"

// Scripts/make-catalogs writes catalogs.h: for each file of Config/catalogs its bytes, and a line of the table.
#pragma clang diagnostic ignored "-Wc23-extensions"

struct catalog {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

#include "catalogs.h"

static const unsigned count = sizeof catalogs / sizeof catalogs[0];

static const struct catalog *catalog_at(unsigned place) { return &catalogs[place < count ? place : count - 1]; }

unsigned CCatalogs_count(void) { return count; }
const char *CCatalogs_name(unsigned place) { return catalog_at(place)->name; }
const unsigned char *CCatalogs_bytes(unsigned place) { return catalog_at(place)->bytes; }
size_t CCatalogs_size(unsigned place) { return catalog_at(place)->size; }
