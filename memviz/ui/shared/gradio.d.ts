// What Gradio hands to a component's script.

export interface Context<View> {
  element: HTMLElement;
  props: { value: View | null | undefined };
  /** Calls back after Python has sent another value. */
  watch(name: string, callback: () => void): void;
  /** Sends an event with its data to Python. */
  trigger(event: string, data?: unknown): void;
}
