/* A shared object that is no bundle: it has no `application`. */
int applicatoin(void);

int applicatoin(void) { return 0; }
