// A press on a word of the prompt asks for a comparison without it.

/** @param {import('../shared/gradio').Context<string>} context */
export function mount({ element, trigger }) {
  element.addEventListener('click', ({ target }) => {
    const word = target instanceof Element ? target.closest('[data-word]') : null;
    if (word instanceof HTMLElement) trigger('submit', { word: Number(word.dataset.word) });
  });
}
