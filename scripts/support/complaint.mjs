/** A failure with a sentence for a person: shown without a stack, exit code 1. */
export class Complaint extends Error {}

/** Runs a script's main function. @param {() => Promise<void>} main */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Complaint ? error.message : error);
    process.exit(1);
  }
}
