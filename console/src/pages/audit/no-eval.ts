/**
 * zod makes faster checks out of text where a page lets it; this one does not, and trying would be told
 * as a breach of its policy. Imported before whatever makes a schema.
 */
import * as z from 'zod';

z.config({ jitless: true });
