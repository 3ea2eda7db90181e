#include "base/queue.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t changed;
    void **items; // a ring of `capacity`
    size_t capacity;
    size_t first;
    size_t count;
    bool closed;
};

struct queue *queue_new(size_t capacity) {
    struct queue *queue = memory_alloc(sizeof(*queue));
    *queue = (struct queue){.lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER,
                            .items = memory_alloc(capacity * sizeof(void *)),
                            .capacity = capacity};
    return queue;
}

void queue_free(struct queue *queue) {
    if (queue != NULL) {
        (void)pthread_mutex_destroy(&queue->lock);
        (void)pthread_cond_destroy(&queue->changed);
        free(queue->items);
        free(queue);
    }
}

bool queue_push(struct queue *queue, void *item) {
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity && !queue->closed) {
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    }
    const bool open = !queue->closed;
    if (open) {
        queue->items[(queue->first + queue->count) % queue->capacity] = item;
        queue->count++;
        (void)pthread_cond_broadcast(&queue->changed);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return open;
}

// With the lock held.
static void *take_first(struct queue *queue) {
    void *item = NULL;
    if (queue->count > 0) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        (void)pthread_cond_broadcast(&queue->changed);
    }
    return item;
}

void *queue_pop(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed) {
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    }
    void *item = take_first(queue);
    (void)pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_try_pop(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->lock);
    void *item = take_first(queue);
    (void)pthread_mutex_unlock(&queue->lock);
    return item;
}

void queue_close(struct queue *queue) {
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->lock);
}
