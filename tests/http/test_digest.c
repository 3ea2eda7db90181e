// The examples of RFC 7616 §3.9 and of RFC 2617 §3.5, word for word.
#include "base/arena.h"
#include "http/digest.h"
#include "support/unit.h"

static struct http_digest parse(struct arena *arena, const char *first, const char *second) {
    struct http_headers headers = {0};
    http_headers_add(arena, &headers, STR("Www-Authenticate"), str_from(first));
    if (second != NULL) {
        http_headers_add(arena, &headers, STR("Www-Authenticate"), str_from(second));
    }
    struct http_digest challenge = {0};
    assert_true(http_digest_parse(arena, &headers, &challenge));
    return challenge;
}

#define RFC_CHALLENGE(algorithm)                                                                   \
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm ", "    \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                     \
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

static const struct http_digest_call rfc_call = {
    .method = STR_INIT("GET"),
    .uri = STR_INIT("/dir/index.html"),
    .user = STR_INIT("Mufasa"),
    .password = STR_INIT("Circle of Life"),
    .body_is_known = true,
    .nonce_count = 1,
    .cnonce = STR_INIT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
};

static void expect_part(str answer, const char *part) {
    if (str_find(answer, str_from(part)) == SIZE_MAX) {
        fail_msg("%s is not in " STR_FORMAT, part, STR_ARGS(answer));
    }
}

static void answers_the_md5_example_of_rfc_7616(void **state) {
    (void)state;
    SCRATCH(scratch);
    const struct http_digest challenge = parse(&scratch, RFC_CHALLENGE("MD5"), NULL);
    const str answer = http_digest_answer(&scratch, &challenge, &rfc_call);
    expect_part(answer, "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", ");
    expect_part(answer, "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
    expect_part(answer, "algorithm=MD5, qop=auth, nc=00000001, cnonce=\"f2/wE4q7");
    expect_part(answer, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
}

static void prefers_sha_256(void **state) {
    (void)state;
    SCRATCH(scratch);
    const struct http_digest challenge =
        parse(&scratch, RFC_CHALLENGE("MD5"), RFC_CHALLENGE("SHA-256"));
    const str answer = http_digest_answer(&scratch, &challenge, &rfc_call);
    expect_part(answer,
                "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
}

static void answers_a_server_of_rfc_2069_without_qop(void **state) {
    (void)state;
    SCRATCH(scratch);
    const struct http_digest challenge =
        parse(&scratch, "Basic realm=\"a, Digest\", Digest realm=\"r\\\"q\", nonce=abc", NULL);
    const str answer = http_digest_answer(&scratch, &challenge, &rfc_call);
    expect_part(answer, "realm=\"r\\\"q\", nonce=\"abc\"");
    assert_int_equal(str_find(answer, STR("qop")), SIZE_MAX);
    assert_int_equal(str_find(answer, STR("algorithm")), SIZE_MAX);
}

static void auth_int_covers_the_body_and_sess_the_nonces(void **state) {
    (void)state;
    SCRATCH(scratch);
    const struct http_digest challenge =
        parse(&scratch, "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-256-sess",
              NULL);
    assert_true(challenge.session);
    struct http_digest_call call = rfc_call;
    call.body = STR("one");
    const str one = http_digest_answer(&scratch, &challenge, &call);
    call.body = STR("two");
    const str two = http_digest_answer(&scratch, &challenge, &call);
    expect_part(one, "qop=auth-int");
    assert_false(str_equal(one, two));
}

static void unknown_algorithms_are_no_challenge(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct http_headers headers = {0};
    http_headers_add(&scratch, &headers, STR("WWW-Authenticate"),
                     STR("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256"));
    struct http_digest challenge;
    assert_false(http_digest_parse(&scratch, &headers, &challenge));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_the_md5_example_of_rfc_7616),
        cmocka_unit_test(prefers_sha_256),
        cmocka_unit_test(answers_a_server_of_rfc_2069_without_qop),
        cmocka_unit_test(auth_int_covers_the_body_and_sess_the_nonces),
        cmocka_unit_test(unknown_algorithms_are_no_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
