// Waits for events that must happen. A wait ends with its event. The limit only turns a hang into a failure.

/** Far above what a machine under load needs. */
export const PATIENCE_MS = 60_000;

/** Resolves when `done` returns true. Throws when it does not within the time. */
export async function until(
  what: string,
  done: () => boolean | Promise<boolean>,
  within: number = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`not within ${within} ms: ${what}`);
    await Bun.sleep(2);
  }
}
