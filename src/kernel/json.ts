/** A value that survives JSON without loss; what event data and job data are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
