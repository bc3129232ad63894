/* main: argv picks a command; nothing else. */
#include "base/base.h"

#include <stdio.h>

int main(void)
{
    printf("onym: no commands yet\n");
    return 0;
}
