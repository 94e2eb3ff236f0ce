// Options for sessions that must come up and end in good order on a machine under any load.

/**
 * Short restart timers, and many requests. With pppd's own numbers (10 and 2) and timers of one second, a guest that gets
 * no processor for 10 s loses the link while it comes up, and one that does not answer a Terminate-Request for 2 s turns
 * exit code 5 into 16, in pppd as in ours.
 */
export const PATIENT = [
  "lcp-restart 1",
  "lcp-max-configure 60",
  "lcp-max-terminate 20",
  "ipcp-restart 1",
  "ipcp-max-configure 60",
  "",
].join("\n");

/** The same as words of a command line. */
export const PATIENT_WORDS: readonly string[] = PATIENT.trim().split(/\s+/);
