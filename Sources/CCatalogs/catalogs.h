// Written by Scripts/make-catalogs.
static const unsigned char catalog_0[] = {
#embed "../../Config/catalogs/voice-id.yaml"
};

static const struct catalog catalogs[] = {
    {"voice-id", catalog_0, sizeof catalog_0},
};
