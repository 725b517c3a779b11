"""Every version of the registry's schema, in order.

Rules of this file: a released migration keeps its name, its place and what it says. Tables are STRICT; ``1`` and ``0``
are true and false; an instant is text (:mod:`agent.registry.columns`). Nobody is deleted: a person becomes inactive, a
grant ends, a hold is lifted, a record is voided, an area is removed, and the row stays for the inspection.
"""

from agent.registry.schema.areas_mark import AREAS_MARK
from agent.registry.schema.case_measures import ADVANCED, LEAVE_DATES, REACH
from agent.registry.schema.cases import BESIDE, CASES, SECOND, WRITTEN
from agent.registry.schema.first import FIRST
from agent.registry.schema.hr import HR_SUBJECTS
from agent.registry.schema.losses import LOSS_REASONS, LOSSES
from agent.registry.schema.programs import PROGRAMS
from agent.registry.schema.proposals import PROPOSALS
from agent.registry.schema.recorded import RECORDED
from agent.registry.schema.rooms import LOCATION, RESET, ROOMS
from agent.registry.schema.volumes import VOLUMES
from agent.runtime.schema import Migration, Schema
from rules.text import Text

SCHEMA = Schema(
    "registry",
    Text("registry", "登记库"),
    (
        Migration("m001_first", FIRST),
        Migration("m002_cases", CASES),
        Migration("m003_second", SECOND),  # what waits for a second officer
        Migration("m004_rooms", ROOMS),  # what each asks, its doors, badges and PINs, visitors, and what happens there
        Migration("m005_beside", BESIDE),  # a departure beside the transfer it overtakes
        Migration("m006_reset", RESET),  # when the list of who is inside a room is emptied each day
        Migration("m007_location", LOCATION),  # where a room is
        Migration("m008_recorded", RECORDED),  # which entry of the log each change has
        Migration("m009_volumes", VOLUMES),  # disks the agent mounts, and lets go of
        Migration("m010_losses", LOSSES),  # who lost what by which act
        Migration("m011_leave_dates", LEAVE_DATES),  # leave dates, batches, and measures of a cooling-off period
        Migration("m013_hr_subjects", HR_SUBJECTS),  # how HR names people
        Migration("m014_written", WRITTEN),  # who wrote an approval down
        Migration("m015_areas_mark", AREAS_MARK),  # whether anything about the areas has changed
        Migration("m016_reach", REACH),  # a narrower case beside a wider one whose leave date is to come
        Migration("m017_advanced", ADVANCED),  # who brought a leave date forward
        Migration("m018_loss_reasons", LOSS_REASONS),  # why an act took something
        Migration("m019_proposals", PROPOSALS),  # what waits for a second hand
        Migration("m020_programs", PROGRAMS),  # which file the program of a service is, and programs that let people in
    ),
)
