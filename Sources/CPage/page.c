#include "CPage.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char markup[] = {
#embed "page/page.html"
};

static const unsigned char style[] = {
#embed "page/page.css"
};

static const unsigned char figures[] = {
#embed "page/figures.js"
};

static const unsigned char drawing[] = {
#embed "page/draw.js"
};

static const unsigned char panels[] = {
#embed "page/page.js"
};

static const struct {
    const unsigned char *bytes;
    size_t size;
} parts[] = {
    {markup, sizeof markup}, {style, sizeof style}, {figures, sizeof figures}, {drawing, sizeof drawing}, {panels, sizeof panels},
};

static const unsigned count = sizeof parts / sizeof parts[0];

unsigned CPage_count(void) { return count; }
const unsigned char *CPage_bytes(unsigned place) { return parts[place < count ? place : count - 1].bytes; }
size_t CPage_size(unsigned place) { return parts[place < count ? place : count - 1].size; }
