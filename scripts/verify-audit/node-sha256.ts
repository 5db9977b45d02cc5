/** Node's own SHA-256: the portable one would take most of the time. */
import { hash } from 'node:crypto';
import type { Sha256 } from '../../src/engine/sha256.ts';

export const nodeSha256: Sha256 = {
  ofText: (text) => hash('sha256', text, 'hex'),
  ofHex: (hex) => hash('sha256', Buffer.from(hex, 'hex'), 'hex'),
  ofBytes: (bytes) => hash('sha256', bytes, 'hex'),
};
