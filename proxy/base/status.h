/* status - how programs exit. `smtpscope diff` and `report` use 1 for "something was found". */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum { STATUS_OK = 0, STATUS_WRONG = 1, STATUS_USAGE = 2 };

#endif
