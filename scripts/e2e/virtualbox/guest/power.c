/* power: the machine's power button and switch, by VirtualBox's ports: the kernel of this guest has no ACPI.
 *
 *   power off | reset    at once; the caller has stopped what must stop
 *   power watch          runs /usr/local/sbin/poweroff when the button is pressed
 *   power crash          three faults in a row: what VirtualBox calls a guru meditation
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/io.h>
#include <sys/reboot.h>

enum { pm1a_status = 0x4000, pm1a_control = 0x4004, button = 0x0100, soft_off = 5 << 10 | 1 << 13 };

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (iopl(3)) return 1;
  if (!strcmp(what, "off")) {
    sync();
    outw(soft_off, pm1a_control);
  } else if (!strcmp(what, "reset")) {
    sync();
    outb(0xfe, 0x64);
    reboot(RB_AUTOBOOT);
  } else if (!strcmp(what, "crash")) {
    int type = open("/sys/kernel/reboot/type", O_WRONLY);
    if (type < 0 || write(type, "triple", 6) != 6) return 1;
    reboot(RB_AUTOBOOT);
  } else if (!strcmp(what, "watch")) {
    for (;;) {
      if (inw(pm1a_status) & button) {
        outw(button, pm1a_status);
        execl("/usr/local/sbin/poweroff", "poweroff", (char *)0);
      }
      sleep(1);
    }
  } else {
    return 2;
  }
  pause();
  return 0;
}
