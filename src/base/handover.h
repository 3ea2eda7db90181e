#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

// Tells ThreadSanitizer that what one thread wrote is another's now, where the threads meet in code
// that it does not see: DuckDB's task queue orders our callbacks, but is not instrumented.  In
// other builds nothing is left of it.
//
// Give and take say what is true already; they order nothing.  Where our own code hands over, a
// mutex or base/queue.h does it, and ThreadSanitizer sees that by itself.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HANDOVER_IS_TOLD 1
#endif
#endif

#ifdef HANDOVER_IS_TOLD
#include <sanitizer/tsan_interface.h>
// All that this thread wrote until now is for whoever takes `address`.
#define HANDOVER_GIVE(address) __tsan_release(address)
// All that was given with `address` is visible to this thread.
#define HANDOVER_TAKE(address) __tsan_acquire(address)
#else
#define HANDOVER_GIVE(address) ((void)(address))
#define HANDOVER_TAKE(address) ((void)(address))
#endif

#endif
