/** A style sheet is imported as a file. */
declare module "*.css" {
  const path: string;
  export default path;
}

/** A page is imported as a file. */
declare module "*.md" {
  const path: string;
  export default path;
}
