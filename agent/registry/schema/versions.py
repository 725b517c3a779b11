"""Every version of the registry's schema, in order.

Rules of this file: a released migration keeps its name, place and content. Tables are STRICT; ``1`` and ``0`` are true
and false; an instant is text (:mod:`agent.registry.columns`). Nothing is deleted: a person becomes inactive, a grant
ends, a hold is lifted, a record is voided, an area is removed, and the row stays for the inspection.
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
from rules.text import Message

SCHEMA = Schema(
    "registry",
    Message("common.registry"),
    (
        Migration("m001_first", FIRST),
        Migration("m002_cases", CASES),
        Migration("m003_second", SECOND),  # acts that wait for a second officer
        Migration("m004_rooms", ROOMS),  # rules, doors, badges, PINs, visitors, and events at doors
        Migration("m005_beside", BESIDE),  # a departure beside the transfer it overtakes
        Migration("m006_reset", RESET),  # the time of day at which the presence list of a room is cleared
        Migration("m007_location", LOCATION),  # the location of a room
        Migration("m008_recorded", RECORDED),  # the log entry of each change
        Migration("m009_volumes", VOLUMES),  # disks that the agent mounts and releases
        Migration("m010_losses", LOSSES),  # the rights that each act took
        Migration("m011_leave_dates", LEAVE_DATES),  # leave dates, batches, and measures of a cooling-off period
        Migration("m013_hr_subjects", HR_SUBJECTS),  # names of people in the personnel system
        Migration("m014_written", WRITTEN),  # the officer who recorded an approval
        Migration("m015_areas_mark", AREAS_MARK),  # a mark that changes with the areas
        Migration("m016_reach", REACH),  # a narrower case beside a wider one with a future leave date
        Migration("m017_advanced", ADVANCED),  # the officer who brought a leave date forward
        Migration("m018_loss_reasons", LOSS_REASONS),  # the reason of an act that took rights
        Migration("m019_proposals", PROPOSALS),  # acts that wait for a second officer
        Migration("m020_programs", PROGRAMS),  # the file identity of programs, and programs that let people in
    ),
)
