/** The product is killed again and again while everybody is at work, and has to account for it. */
import { BY_SERVE, newPlace, type Place, startServer } from '../e2e/support/server.ts';
import { chanceOf } from './chance.ts';
import { Killer } from './killer.ts';
import { type Ending, play, type Setting } from './stage.ts';
import { newStory } from './story.ts';

export interface Ordeal extends Setting {
  readonly minutes: number;
  readonly kills: number;
}

export interface Result extends Ending {
  readonly lastLines: readonly string[];
  /** Where its state is, as it was in the end. */
  readonly place: Place;
}

export async function torture(ordeal: Ordeal): Promise<Result> {
  const story = newStory();
  const place = await newPlace();
  const first = await startServer(place, ['--no-demo'], BY_SERVE);
  const killer = new Killer(place, first, story, chanceOf(ordeal.seed + 2));
  try {
    const act = async () => await killer.killAll(ordeal.kills, ordeal.minutes * 60_000);
    const ending = await play(ordeal, story, () => killer.server(), act);
    return { ...ending, lastLines: killer.lastLines(), place };
  } finally {
    await killer.server().stop();
  }
}
