/*
 * mailbox.h - where the development mailbox is shown.
 */
#ifndef GATEWAY_PAGES_MAILBOX_H
#define GATEWAY_PAGES_MAILBOX_H

#define MAILBOX_PATH "/dev/mailbox"

#endif
