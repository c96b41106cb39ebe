// Class names of scoped styles follow from the styles alone: not from where the checkout lies, so a rebuild anywhere gives
// the same bytes.
export default {
  compilerOptions: { cssHash: ({ hash, css }) => `s-${hash(css)}` },
};
