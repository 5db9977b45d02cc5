/** SHA-256 wherever JavaScript runs: `#sha256` of package.json. */
export { sha256 } from '@noble/hashes/sha2.js';
