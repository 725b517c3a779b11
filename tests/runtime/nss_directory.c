/* A name service like a directory's: it knows accounts and their groups, and lists neither.
 *
 * zhao: uid 62501, in group 62590 by initgroups alone; qian: uid 62502, in no other group than its own. The group 62590
 * (officers) has no member that could be listed. Source: "Extending NSS" in the manual of the GNU C Library.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define OFFICERS 62590

static enum nss_status account(struct passwd *found, char *buffer, size_t length, const char *name, uid_t uid, int *error)
{
    static char empty[] = "";
    if (strlen(name) + 1 > length) {
        *error = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    strcpy(buffer, name);
    *found = (struct passwd){buffer, empty, uid, uid, empty, empty, empty};
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_shoumi_getpwuid_r(uid_t uid, struct passwd *found, char *buffer, size_t length, int *error)
{
    if (uid == 62501)
        return account(found, buffer, length, "zhao", uid, error);
    if (uid == 62502)
        return account(found, buffer, length, "qian", uid, error);
    return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_shoumi_getpwnam_r(const char *name, struct passwd *found, char *buffer, size_t length, int *error)
{
    if (!strcmp(name, "zhao"))
        return account(found, buffer, length, "zhao", 62501, error);
    if (!strcmp(name, "qian"))
        return account(found, buffer, length, "qian", 62502, error);
    return NSS_STATUS_NOTFOUND;
}

static enum nss_status group(struct group *found, char *buffer, size_t length, int *error)
{
    static char *nobody[] = {NULL};
    static char empty[] = "";
    if (length < sizeof "officers") {
        *error = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    strcpy(buffer, "officers");
    *found = (struct group){buffer, empty, OFFICERS, nobody};
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_shoumi_getgrnam_r(const char *name, struct group *found, char *buffer, size_t length, int *error)
{
    return strcmp(name, "officers") ? NSS_STATUS_NOTFOUND : group(found, buffer, length, error);
}

enum nss_status _nss_shoumi_getgrgid_r(gid_t gid, struct group *found, char *buffer, size_t length, int *error)
{
    return gid == OFFICERS ? group(found, buffer, length, error) : NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_shoumi_initgroups_dyn(const char *name, gid_t primary, long *start, long *size, gid_t **groups,
                                           long limit, int *error)
{
    (void)primary, (void)limit;
    if (strcmp(name, "zhao"))
        return NSS_STATUS_NOTFOUND;
    if (*start == *size) {
        gid_t *larger = realloc(*groups, (*size + 8) * sizeof **groups);
        if (!larger) {
            *error = ENOMEM;
            return NSS_STATUS_TRYAGAIN;
        }
        *groups = larger;
        *size += 8;
    }
    (*groups)[(*start)++] = OFFICERS;
    return NSS_STATUS_SUCCESS;
}
