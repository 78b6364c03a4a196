// What Python sends to the browser, as the modules here read it.

export interface Method {
  label: string;
  short: string;
  symbol: string;
  dash: string;
  color: number;
}

export type Methods = Record<string, Method | undefined>;
export type Curve = (number | null)[];

export interface Band {
  low: number[];
  high: number[];
}

export interface Thresholds {
  copied?: number | null;
  close?: number | null;
  source?: string | null;
}

export interface Match {
  id: number;
  similarity: number;
  image: string;
  caption: string;
}

export interface CompareCell {
  cell: number;
  prompt: string;
  method: string;
  spec: string;
  seed: number;
  state: string;
  error: string | null;
  image: string | null;
  sheet: string | null;
  similarity: number | null;
  alignment: number | null;
  match: Match | null;
  matches: Match[] | null;
  verdict: string | null;
  reason: string | null;
  prompt_signal: { word: string; reason: string | null } | null;
  prompt_read: string | null;
  transition_step: number | null;
  where: string | null;
  trace: { magnitude: Curve; scale: Curve; similarity: Curve; nearest: (number | null)[] };
  preview: string | null;
}

export interface CompareView {
  note?: string;
  id: string;
  live: boolean;
  step: number;
  steps: number;
  timesteps: number[];
  base: string;
  tile: number;
  columns: number;
  prompts: string[];
  result: string;
  summaries: Record<string, string | undefined>;
  facts: [string, string][];
  band: Band | null;
  thresholds: Thresholds;
  noise: Record<string, string | undefined>;
  methods: Methods;
  cells: CompareCell[];
  with?: string;
}
