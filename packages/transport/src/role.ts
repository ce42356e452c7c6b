/** What a token gives a right to: a worker joins and fetches data; an observer reads how the run stands, and no more. */
export type Role = 'worker' | 'observer';
