#ifndef CCRYPTO_H
#define CCRYPTO_H

// A hash's state as a value, which can be copied in the middle of a text: the functions of OpenSSL 3 that replace these keep it on the
// heap, and cost half as much again for a short text.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
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

/// The certificates of a file.
struct ccrypto_certificates {
    /// 0 if there is none, or if something in the file is not as it should be.
    int count;
    /// When the first and the last of them end to be valid, in seconds from `now`.
    long long first_end;
    long long last_end;
};

/// Reads certificates and revocation lists in PEM form, as libcrypto (and so libcurl) reads a file of authorities.
static inline struct ccrypto_certificates ccrypto_read_certificates(
    const unsigned char *bytes, int count, long long now
) {
    struct ccrypto_certificates found = {0, 0, 0};
    BIO *source = BIO_new_mem_buf(bytes, count);
    // A passphrase is given, so that none is asked for on a terminal.
    STACK_OF(X509_INFO) *items = source == NULL ? NULL : PEM_X509_INFO_read_bio(source, NULL, NULL, (void *)"");
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)now);
    int days, seconds;
    for (int index = 0; index < sk_X509_INFO_num(items); index++) {
        X509_INFO *item = sk_X509_INFO_value(items, index);
        if (item->x509 == NULL) {
            continue;
        }
        found.count += 1;
        if (from == NULL || ASN1_TIME_diff(&days, &seconds, from, X509_get0_notAfter(item->x509)) != 1) {
            continue;
        }
        long long end = days * 86400LL + seconds;
        if (found.count == 1 || end < found.first_end) {
            found.first_end = end;
        }
        if (found.count == 1 || end > found.last_end) {
            found.last_end = end;
        }
    }
    ASN1_TIME_free(from);
    sk_X509_INFO_pop_free(items, X509_INFO_free);
    BIO_free(source);
    ERR_clear_error();
    return found;
}

#endif
