/** What every run of every system is given. */
export const RUN_INPUT = { value: 7 };
