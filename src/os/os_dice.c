/* os_dice: the kernel's random bytes, fetched 256 at a time and per thread, so that a message without
 * an id does not cost a system call. Bytes are used once, and wiped when they are given out. */
#include "os.h"

#include <sys/random.h>

enum { POOL_BYTES = 256 };

static void real_fill(struct dice *dice, void *bytes, size_t count)
{
    static _Thread_local unsigned char pool[POOL_BYTES];
    static _Thread_local size_t left;
    (void)dice;
    for (char *at = bytes; count > 0;) {
        if (left == 0) {
            check(getrandom(pool, sizeof pool, 0) == (ssize_t)sizeof pool);   /* up to 256 bytes it gives all */
            left = sizeof pool;
        }
        size_t part = count < left ? count : left;
        memcpy(at, pool + left - part, part);
        memset(pool + left - part, 0, part);
        left -= part;
        at += part;
        count -= part;
    }
}

struct dice *os_dice(void)
{
    static struct dice real = { real_fill };
    return &real;
}

uint64_t dice_u64(struct dice *dice)
{
    uint64_t value;
    dice->fill(dice, &value, sizeof value);
    return value;
}

void dice_uuid(struct dice *dice, char *text)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    dice->fill(dice, bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t at = 0; at < sizeof bytes; at++) {
        if (at == 4 || at == 6 || at == 8 || at == 10) *text++ = '-';
        *text++ = hex[bytes[at] >> 4];
        *text++ = hex[bytes[at] & 15];
    }
}

void dice_key(struct dice *dice, char *text, size_t count)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (count > 0) {
        unsigned char byte;
        dice->fill(dice, &byte, 1);
        if (byte >= 248) continue;                    /* 248 = 4 * 62: every letter equally likely */
        *text++ = letters[byte % 62];
        count--;
    }
}
