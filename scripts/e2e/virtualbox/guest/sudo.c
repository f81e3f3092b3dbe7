/* sudo: for an account that may do everything without a password, as a box has. Debian's own costs an interpreted machine
 * seven million instructions a call. It knows -E, -H, -n, -- and NAME=VALUE; all else is left to Debian's.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int i;
  (void)argc;
  for (i = 1; argv[i] && argv[i][0] == '-'; i++) {
    if (!strcmp(argv[i], "--")) {
      i++;
      break;
    }
    if (strcmp(argv[i], "-E") && strcmp(argv[i], "-H") && strcmp(argv[i], "-n")) {
      execv("/usr/bin/sudo", argv);
      return 1;
    }
  }
  for (; argv[i] && strchr(argv[i], '='); i++) putenv(argv[i]);
  if (!argv[i]) return 1;
  if (setgroups(0, NULL) || setgid(0) || setuid(0)) return 1;
  setenv("HOME", "/root", 1);
  setenv("USER", "root", 1);
  setenv("LOGNAME", "root", 1);
  setenv("SUDO_USER", "vagrant", 1);
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  execvp(argv[i], argv + i);
  perror(argv[i]);
  return 127;
}
