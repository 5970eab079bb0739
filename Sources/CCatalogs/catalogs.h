// Written by Scripts/make-catalogs from the models of botocore 1.44.8.
static const unsigned char catalog_0[] = {
#embed "../../Config/catalogs/voice-id.yaml"
};

static const unsigned char catalog_1[] = {
#embed "../../Config/catalogs/athena.yaml"
};

static const unsigned char catalog_2[] = {
#embed "../../Config/catalogs/cloudtrail.yaml"
};

static const unsigned char catalog_3[] = {
#embed "../../Config/catalogs/codebuild.yaml"
};

static const unsigned char catalog_4[] = {
#embed "../../Config/catalogs/comprehend.yaml"
};

static const unsigned char catalog_5[] = {
#embed "../../Config/catalogs/config.yaml"
};

static const unsigned char catalog_6[] = {
#embed "../../Config/catalogs/ecs.yaml"
};

static const unsigned char catalog_7[] = {
#embed "../../Config/catalogs/events.yaml"
};

static const unsigned char catalog_8[] = {
#embed "../../Config/catalogs/glue.yaml"
};

static const unsigned char catalog_9[] = {
#embed "../../Config/catalogs/healthlake.yaml"
};

static const unsigned char catalog_10[] = {
#embed "../../Config/catalogs/kendra.yaml"
};

static const unsigned char catalog_11[] = {
#embed "../../Config/catalogs/logs.yaml"
};

static const unsigned char catalog_12[] = {
#embed "../../Config/catalogs/organizations.yaml"
};

static const unsigned char catalog_13[] = {
#embed "../../Config/catalogs/sagemaker.yaml"
};

static const unsigned char catalog_14[] = {
#embed "../../Config/catalogs/servicequotas.yaml"
};

static const unsigned char catalog_15[] = {
#embed "../../Config/catalogs/ssm.yaml"
};

static const unsigned char catalog_16[] = {
#embed "../../Config/catalogs/sso-admin.yaml"
};

static const unsigned char catalog_17[] = {
#embed "../../Config/catalogs/stepfunctions.yaml"
};

static const unsigned char catalog_18[] = {
#embed "../../Config/catalogs/transcribe.yaml"
};

static const struct catalog catalogs[] = {
    {"voice-id", catalog_0, sizeof catalog_0},
    {"athena", catalog_1, sizeof catalog_1},
    {"cloudtrail", catalog_2, sizeof catalog_2},
    {"codebuild", catalog_3, sizeof catalog_3},
    {"comprehend", catalog_4, sizeof catalog_4},
    {"config", catalog_5, sizeof catalog_5},
    {"ecs", catalog_6, sizeof catalog_6},
    {"events", catalog_7, sizeof catalog_7},
    {"glue", catalog_8, sizeof catalog_8},
    {"healthlake", catalog_9, sizeof catalog_9},
    {"kendra", catalog_10, sizeof catalog_10},
    {"logs", catalog_11, sizeof catalog_11},
    {"organizations", catalog_12, sizeof catalog_12},
    {"sagemaker", catalog_13, sizeof catalog_13},
    {"servicequotas", catalog_14, sizeof catalog_14},
    {"ssm", catalog_15, sizeof catalog_15},
    {"sso-admin", catalog_16, sizeof catalog_16},
    {"stepfunctions", catalog_17, sizeof catalog_17},
    {"transcribe", catalog_18, sizeof catalog_18},
};
