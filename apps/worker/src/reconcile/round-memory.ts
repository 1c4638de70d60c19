/** What a loop remembers of the runs that it goes round, for as long as it meets them in each round. */
export class RoundMemory<T> {
  #thisRound = new Map<string, T>();
  #lastRound = new Map<string, T>();

  /** Forgets what was neither asked for nor set in the round before. */
  beginRound(): void {
    this.#lastRound = this.#thisRound;
    this.#thisRound = new Map();
  }

  get(workflowRunId: string): T | undefined {
    const value = this.#thisRound.get(workflowRunId) ?? this.#lastRound.get(workflowRunId);
    if (value !== undefined) this.#thisRound.set(workflowRunId, value);
    return value;
  }

  set(workflowRunId: string, value: T): void {
    this.#thisRound.set(workflowRunId, value);
  }

  delete(workflowRunId: string): void {
    this.#thisRound.delete(workflowRunId);
    this.#lastRound.delete(workflowRunId);
  }
}
