#ifndef CCRYPTO_H
#define CCRYPTO_H

// A hash's state as a value, which can be copied in the middle of a text: the functions of OpenSSL 3 that replace these keep it on the
// heap, and cost half as much again for a short text.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stddef.h>

/// AES-256-GCM (NIST SP 800-38D) with a nonce of 12 bytes and a tag of 16. `output` has room for `count` bytes.
/// Returns 1, or 0 if libcrypto has no memory.
static inline int ccrypto_seal(
    const unsigned char *key, const unsigned char *nonce, const unsigned char *context, int contextCount,
    const unsigned char *text, int count, unsigned char *output, unsigned char *tag
) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int written = 0;
    int isGood = cipher != NULL && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        EVP_EncryptUpdate(cipher, NULL, &written, context, contextCount) == 1 &&
        EVP_EncryptUpdate(cipher, output, &written, text, count) == 1 && written == count &&
        EVP_EncryptFinal_ex(cipher, tag, &written) == 1 && written == 0 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return isGood;
}

/// The reverse of `ccrypto_seal`. Returns 1, or 0 if text, context, nonce or tag are not as they were.
static inline int ccrypto_open(
    const unsigned char *key, const unsigned char *nonce, const unsigned char *context, int contextCount,
    const unsigned char *sealed, int count, unsigned char *output, const unsigned char *tag
) {
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int written = 0;
    int isGood = cipher != NULL && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
        EVP_DecryptUpdate(cipher, NULL, &written, context, contextCount) == 1 &&
        EVP_DecryptUpdate(cipher, output, &written, sealed, count) == 1 && written == count &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, (void *)tag) == 1 &&
        EVP_DecryptFinal_ex(cipher, output + count, &written) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return isGood;
}

#endif
