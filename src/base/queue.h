#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

// A bounded first-in first-out queue of pointers between threads.
//
// Ownership: items belong to whoever holds them; a closed queue keeps what is in it until popped.
// Threads: any number of pushers and poppers.

#include <stdbool.h>
#include <stddef.h>

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *queue); // must be empty or its items be owned elsewhere
// Waits for room; false when the queue was closed (the item stays the caller's).
bool queue_push(struct queue *queue, void *item);
// Waits for an item; NULL when the queue is closed and empty.
void *queue_pop(struct queue *queue);
// NULL at once when there is nothing.
void *queue_try_pop(struct queue *queue);
// No more pushes; wakes everybody.
void queue_close(struct queue *queue);

#endif
