/* The options of the sanitizer's runtime, which asks for them by these names before anything else runs. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void) { return OPTIONS; }
__attribute__((visibility("default"))) const char *__tsan_default_options(void) { return OPTIONS; }
