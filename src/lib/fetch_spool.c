#include "lib/fetch_spool.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SPOOL_BUFFER_SIZE = 1 << 20, // bytes written or read at a time
    SPOOL_NUMBER_SIZE_MAX = 10,  // bytes of a number
};

struct fetch_spool {
    int fd;
    char *buffer;
    size_t used; // bytes of `buffer` not written yet
    int64_t rows;
    struct fetch_seen *seen; // by column
    size_t seen_count;
};

struct fetch_spool_reader {
    int fd;
    off_t offset; // of the file, behind the buffer
    char *buffer;
    size_t capacity;
    size_t start; // unread bytes are buffer[start … end)
    size_t end;
    int64_t rows_left;
};

static enum error_code open_unnamed(str directory, int *fd, struct error *err) {
    SCRATCH(scratch);
    if (str_is_empty(directory)) {
        const char *variable = getenv("TMPDIR");
        directory = variable != NULL && *variable != '\0' ? str_from(variable) : STR("/tmp");
    }
    char *name = str_to_cstring(
        &scratch, str_format(&scratch, STR_FORMAT "/coypu-spool-XXXXXX", STR_ARGS(directory)));
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd < 0) {
        return error_set(err, ERROR_IO, "no temporary file can be made in " STR_FORMAT ": %s",
                         STR_ARGS(directory), strerror(errno));
    }
    (void)unlink(name);
    return ERROR_NONE;
}

enum error_code fetch_spool_new(str directory, struct fetch_spool **spool, struct error *err) {
    int fd = -1;
    TRY(open_unnamed(directory, &fd, err));
    *spool = memory_alloc(sizeof(**spool));
    **spool = (struct fetch_spool){.fd = fd, .buffer = memory_alloc(SPOOL_BUFFER_SIZE)};
    return ERROR_NONE;
}

void fetch_spool_free(struct fetch_spool *spool) {
    if (spool != NULL) {
        close(spool->fd);
        free(spool->buffer);
        free(spool->seen);
        free(spool);
    }
}

static enum error_code write_all(int fd, const char *data, size_t size, struct error *err) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR) {
            return error_set(err, ERROR_IO, "fetched rows cannot be set aside: %s",
                             strerror(errno));
        }
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return ERROR_NONE;
}

static enum error_code spool_flush(struct fetch_spool *spool, struct error *err) {
    TRY(write_all(spool->fd, spool->buffer, spool->used, err));
    spool->used = 0;
    return ERROR_NONE;
}

static enum error_code spool_bytes(struct fetch_spool *spool, const char *data, size_t size,
                                   struct error *err) {
    if (size > SPOOL_BUFFER_SIZE - spool->used) {
        TRY(spool_flush(spool, err));
    }
    if (size > SPOOL_BUFFER_SIZE) {
        return write_all(spool->fd, data, size, err);
    }
    if (size > 0) {
        memcpy(spool->buffer + spool->used, data, size);
    }
    spool->used += size;
    return ERROR_NONE;
}

// Seven bits a byte, lowest first; the top bit says that more follow.
static size_t number_write(char *out, uint64_t number) {
    size_t size = 0;
    while (number >= 0x80) {
        out[size++] = (char)(number | 0x80);
        number >>= 7;
    }
    out[size++] = (char)number;
    return size;
}

// The sign goes to the lowest bit, so that small negative numbers stay short.
static uint64_t zigzag(int64_t number) {
    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}
static int64_t zigzag_back(uint64_t number) {
    return (int64_t)((number >> 1) ^ ((number & 1) != 0 ? UINT64_MAX : 0));
}

static enum error_code spool_cell(struct fetch_spool *spool, size_t column,
                                  const struct fetch_cell *cell, struct error *err) {
    char head[2 * SPOOL_NUMBER_SIZE_MAX + 1];
    size_t size = number_write(head, column + 1);
    head[size++] = (char)cell->kind;
    switch (cell->kind) {
    case CELL_NULL:
        return ERROR_NONE;
    case CELL_BOOL:
    case CELL_INT:
    case CELL_TIME:
    case CELL_DURATION:
        size += number_write(head + size, zigzag(cell->integer));
        return spool_bytes(spool, head, size, err);
    case CELL_DOUBLE:
        memcpy(head + size, &cell->number, sizeof(cell->number));
        return spool_bytes(spool, head, size + sizeof(cell->number), err);
    case CELL_BIG_INT:
    case CELL_TEXT:
    case CELL_BYTES:
    case CELL_JSON:
        size += number_write(head + size, cell->text.size);
        TRY(spool_bytes(spool, head, size, err));
        return spool_bytes(spool, cell->text.data, cell->text.size, err);
    }
    return ERROR_NONE;
}

static void seen_reserve(struct fetch_spool *spool, size_t count) {
    if (count > spool->seen_count) {
        spool->seen = memory_realloc(spool->seen, count * sizeof(spool->seen[0]));
        memset(spool->seen + spool->seen_count, 0,
               (count - spool->seen_count) * sizeof(spool->seen[0]));
        spool->seen_count = count;
    }
}

enum error_code fetch_spool_add(struct fetch_spool *spool, const struct fetch_cell *cells,
                                size_t count, struct error *err) {
    seen_reserve(spool, count);
    for (size_t i = 0; i < count; i++) {
        fetch_seen_add(&spool->seen[i], &cells[i]);
        TRY(spool_cell(spool, i, &cells[i], err));
    }
    spool->rows++;
    return spool_bytes(spool, "\0", 1, err);
}

enum error_code fetch_spool_finish(struct fetch_spool *spool, struct error *err) {
    return spool_flush(spool, err);
}

int64_t fetch_spool_rows(const struct fetch_spool *spool) {
    return spool->rows;
}

struct fetch_seen fetch_spool_seen(const struct fetch_spool *spool, size_t index) {
    return index < spool->seen_count ? spool->seen[index] : (struct fetch_seen){0};
}

// ---- reading ------------------------------------------------------------------------------------

struct fetch_spool_reader *fetch_spool_open(const struct fetch_spool *spool) {
    struct fetch_spool_reader *reader = memory_alloc(sizeof(*reader));
    *reader = (struct fetch_spool_reader){.fd = spool->fd,
                                          .buffer = memory_alloc(SPOOL_BUFFER_SIZE),
                                          .capacity = SPOOL_BUFFER_SIZE,
                                          .rows_left = spool->rows};
    return reader;
}

void fetch_spool_close(struct fetch_spool_reader *reader) {
    if (reader != NULL) {
        free(reader->buffer);
        free(reader);
    }
}

// Reads on; a row that begins at `start` is kept, the buffer grows when it does not fit.
static enum error_code reader_fill(struct fetch_spool_reader *reader, struct error *err) {
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
    if (reader->end == reader->capacity) {
        reader->capacity *= 2;
        reader->buffer = memory_realloc(reader->buffer, reader->capacity);
    }
    ssize_t size;
    do {
        size = pread(reader->fd, reader->buffer + reader->end, reader->capacity - reader->end,
                     reader->offset);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) {
        return error_set(err, ERROR_IO, "fetched rows that were set aside cannot be read back: %s",
                         size < 0 ? strerror(errno) : "the file ends early");
    }
    reader->offset += size;
    reader->end += (size_t)size;
    return ERROR_NONE;
}

// A position in the buffered part of the row.
struct row_bytes {
    const char *data;
    const char *end;
    bool cut; // the buffer ends within the row
};

static uint64_t bytes_number(struct row_bytes *bytes) {
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (bytes->data == bytes->end) {
            bytes->cut = true;
            return 0;
        }
        unsigned char byte = (unsigned char)*bytes->data++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return number;
}

static const char *bytes_take(struct row_bytes *bytes, size_t size) {
    if (size > (size_t)(bytes->end - bytes->data)) {
        bytes->cut = true;
        return NULL;
    }
    const char *data = bytes->data;
    bytes->data += size;
    return data;
}

static void bytes_cell(struct row_bytes *bytes, struct fetch_cell *cell) {
    const char *kind = bytes_take(bytes, 1);
    if (kind == NULL) {
        return;
    }
    cell->kind = (enum fetch_cell_kind)(unsigned char)*kind;
    if (cell->kind == CELL_DOUBLE) {
        const char *number = bytes_take(bytes, sizeof(cell->number));
        if (number != NULL) {
            memcpy(&cell->number, number, sizeof(cell->number));
        }
    } else if (cell->kind == CELL_BIG_INT || cell->kind == CELL_TEXT || cell->kind == CELL_BYTES ||
               cell->kind == CELL_JSON) {
        cell->text.size = bytes_number(bytes);
        cell->text.data = bytes->cut ? NULL : bytes_take(bytes, cell->text.size);
    } else {
        cell->integer = zigzag_back(bytes_number(bytes));
    }
}

// false when the buffer ends within the row.
static bool row_decode(struct fetch_spool_reader *reader, struct fetch_cell *cells, size_t count) {
    struct row_bytes bytes = {.data = reader->buffer + reader->start,
                              .end = reader->buffer + reader->end};
    for (size_t i = 0; i < count; i++) {
        cells[i].kind = CELL_NULL;
    }
    while (!bytes.cut) {
        uint64_t column = bytes_number(&bytes);
        if (column == 0) {
            break;
        }
        struct fetch_cell ignored;
        bytes_cell(&bytes, column <= count ? &cells[column - 1] : &ignored);
    }
    if (bytes.cut) {
        return false;
    }
    reader->start = (size_t)(bytes.data - reader->buffer);
    return true;
}

enum error_code fetch_spool_read(struct fetch_spool_reader *reader, struct fetch_cell *cells,
                                 size_t count, bool *found, struct error *err) {
    *found = reader->rows_left > 0;
    if (!*found) {
        return ERROR_NONE;
    }
    while (!row_decode(reader, cells, count)) {
        TRY(reader_fill(reader, err));
    }
    reader->rows_left--;
    return ERROR_NONE;
}
