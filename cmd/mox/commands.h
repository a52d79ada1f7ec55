/* SPDX-License-Identifier: MIT */
/* commands.h - every command, one per file; keep in alphabetical order of the words. */
#ifndef MOX_COMMANDS_H
#define MOX_COMMANDS_H

#include "cmd.h"

extern const struct cmd cmd_arc_seal, cmd_arc_verify, cmd_dane_dial, cmd_dane_dialmx, cmd_dane_makerecord,
    cmd_dkim_gened25519, cmd_dkim_genrsa, cmd_dkim_lookup, cmd_dkim_sign, cmd_dkim_txt, cmd_dkim_verify,
    cmd_dmarc_checkreportaddrs, cmd_dmarc_lookup, cmd_dmarc_parsereportmsg, cmd_dmarc_verify, cmd_dns_lookup,
    cmd_dnsbl_check, cmd_dnsbl_checkhealth, cmd_help, cmd_localserve, cmd_loglevels, cmd_message_parse,
    cmd_mtasts_lookup, cmd_queue_drop, cmd_queue_dump, cmd_queue_fail, cmd_queue_hold, cmd_queue_holdrules_add,
    cmd_queue_holdrules_list, cmd_queue_holdrules_remove, cmd_queue_list, cmd_queue_print, cmd_queue_requiretls,
    cmd_queue_retired_list, cmd_queue_retired_print, cmd_queue_schedule, cmd_queue_suppress_add,
    cmd_queue_suppress_list, cmd_queue_suppress_lookup, cmd_queue_suppress_remove, cmd_queue_transport,
    cmd_queue_unhold, cmd_queue_webhook_cancel, cmd_queue_webhook_list, cmd_queue_webhook_print,
    cmd_queue_webhook_retired_list, cmd_queue_webhook_retired_print, cmd_queue_webhook_schedule, cmd_rdap_domainage,
    cmd_retrain, cmd_setaccountpassword, cmd_smtp_dial, cmd_spf_check, cmd_spf_lookup, cmd_spf_parse,
    cmd_stop, cmd_tlsrpt_lookup, cmd_tlsrpt_parsereportmsg, cmd_version;

#define CMD_TABLE \
	&cmd_arc_seal, &cmd_arc_verify, &cmd_dane_dial, &cmd_dane_dialmx, &cmd_dane_makerecord, \
	&cmd_dkim_gened25519, &cmd_dkim_genrsa, &cmd_dkim_lookup, &cmd_dkim_sign, &cmd_dkim_txt, \
	&cmd_dkim_verify, &cmd_dmarc_checkreportaddrs, &cmd_dmarc_lookup, &cmd_dmarc_parsereportmsg, \
	&cmd_dmarc_verify, &cmd_dns_lookup, &cmd_dnsbl_check, &cmd_dnsbl_checkhealth, &cmd_help, \
	&cmd_localserve, &cmd_loglevels, &cmd_message_parse, &cmd_mtasts_lookup, &cmd_queue_drop, \
	&cmd_queue_dump, &cmd_queue_fail, &cmd_queue_hold, &cmd_queue_holdrules_add, &cmd_queue_holdrules_list, \
	&cmd_queue_holdrules_remove, &cmd_queue_list, &cmd_queue_print, &cmd_queue_requiretls, \
	&cmd_queue_retired_list, &cmd_queue_retired_print, &cmd_queue_schedule, &cmd_queue_suppress_add, \
	&cmd_queue_suppress_list, &cmd_queue_suppress_lookup, &cmd_queue_suppress_remove, &cmd_queue_transport, \
	&cmd_queue_unhold, &cmd_queue_webhook_cancel, &cmd_queue_webhook_list, &cmd_queue_webhook_print, \
	&cmd_queue_webhook_retired_list, &cmd_queue_webhook_retired_print, &cmd_queue_webhook_schedule, \
	&cmd_rdap_domainage, &cmd_retrain, &cmd_setaccountpassword, &cmd_smtp_dial, &cmd_spf_check, \
	&cmd_spf_lookup, &cmd_spf_parse, &cmd_stop, &cmd_tlsrpt_lookup, &cmd_tlsrpt_parsereportmsg, &cmd_version

#endif
