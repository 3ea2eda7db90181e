// json.h, hash.h, suggest.h, queue.h: the small tools.
#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/suggest.h"
#include "base/text.h"
#include "support/cmocka.h"

#include <pthread.h>

static void writes_json_in_the_order_of_the_calls(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    struct json json;
    json_init(&json, &out);
    json_object(&json);
    json_key_string(&json, STR("q\"uote"), STR("line\n\x01 \xFF \xC3\xB6"));
    json_key(&json, STR("list"));
    json_array(&json);
    json_int(&json, INT64_MIN);
    json_double(&json, 0.1);
    json_double(&json, 2);
    json_double(&json, 1.0 / 0.0);
    json_bool(&json, true);
    json_null(&json);
    json_array(&json);
    json_end(&json);
    json_end(&json);
    json_key_int(&json, STR("n"), 7);
    json_end(&json);
    const str expected = STR("{\"q\\\"uote\":\"line\\n\\u0001 \xEF\xBF\xBD \xC3\xB6\",\"list\":"
                             "[-9223372036854775808,0.1,2.0,null,true,null,[]],\"n\":7}");
    if (!str_equal(text_str(&out), expected)) {
        print_error("got %.*s\n", STR_ARGS(text_str(&out)));
        fail();
    }
}

static void hashes_and_encodes(void **state) {
    (void)state;
    SCRATCH(scratch);
    assert_true(str_equal(sha256_hex(&scratch, STR("abc")),
                          STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < ARRAY_COUNT(plain); i++) {
        str back;
        assert_true(str_equal(base64_encode(&scratch, str_from(plain[i])), str_from(coded[i])));
        assert_true(base64_decode(&scratch, str_from(coded[i]), &back));
        assert_true(str_equal(back, str_from(plain[i])));
    }
    str back;
    assert_true(base64_decode(&scratch, STR("-_-_"), &back));
    assert_false(base64_decode(&scratch, STR("a"), &back));
    assert_false(base64_decode(&scratch, STR("ab!d"), &back));
}

static void suggests_the_nearest_name(void **state) {
    (void)state;
    static str names[] = {STR_INIT("batch_size"), STR_INIT("batch_mode"), STR_INIT("args")};
    const struct str_list list = {names, ARRAY_COUNT(names), ARRAY_COUNT(names)};
    assert_true(str_equal(suggest(STR("batchsize"), &list), STR("batch_size")));
    assert_true(str_equal(suggest(STR("BATCH_MODE"), &list), STR("batch_mode")));
    assert_true(str_equal(suggest(STR("arsg"), &list), STR("args")));
    assert_int_equal(suggest(STR("timeout"), &list).size, 0);
    assert_int_equal(edit_distance(STR("ca"), STR("abc"), 5), 3);
}

static void *push_many(void *argument) {
    static int items[1000];
    for (int i = 0; i < 1000; i++) {
        items[i] = i;
        if (!queue_push(argument, &items[i])) {
            return NULL;
        }
    }
    queue_close(argument);
    return NULL;
}

static void queue_keeps_order_between_threads(void **state) {
    (void)state;
    struct queue *queue = queue_new(3);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_many, queue), 0);
    for (int i = 0; i < 1000; i++) {
        const int *item = queue_pop(queue);
        assert_non_null(item);
        assert_int_equal(*item, i);
    }
    assert_null(queue_pop(queue));
    assert_int_equal(pthread_join(thread, NULL), 0);
    queue_free(queue);
}

static void a_closed_queue_wakes_a_waiting_pusher(void **state) {
    (void)state;
    struct queue *queue = queue_new(1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_many, queue), 0);
    assert_non_null(queue_pop(queue));
    queue_close(queue);
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (queue_try_pop(queue) != NULL) {
    }
    queue_free(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_json_in_the_order_of_the_calls),
        cmocka_unit_test(hashes_and_encodes),
        cmocka_unit_test(suggests_the_nearest_name),
        cmocka_unit_test(queue_keeps_order_between_threads),
        cmocka_unit_test(a_closed_queue_wakes_a_waiting_pusher),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
