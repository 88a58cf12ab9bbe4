/* A large page takes the place of an empty table, while a reclaimer gives back a batch of tables behind one barrier and a neighbour maps. */

/*
 * What is modelled
 *   A root table with one entry (Top), middle tables with two (Middle[2q], Middle[2q+1]), leaf tables with one. The first region is
 *   mapper 0's alone: it unmaps the small page that it has there, and maps a large page, which stands in the middle table itself, over
 *   the table that is left. The second region is mapper 1's: its leaf table is empty at the start, and it maps a small page. A reclaimer
 *   finds both leaf tables empty: it marks both, passes one barrier, unlinks what is still empty and still marked, goes on to the
 *   middle table where that became empty, flushes once and frees after a grace period. A software walker and a device look both
 *   mappings up for ever. The protocol between mapper 1 and the reclaimer is reclaim.pml's; here is what a large page adds:
 *
 *       mapper of a large page, in a section
 *       find the middle table as every mapper does
 *       exchange its entry for the page: what comes out, marked or not, is this mapper's to retire, or was the reclaimer's and is 0
 *       read the entry above again: unless it leads here, unmarked, confirm the path or take the page back and start again
 *       if a table came out, or Unflushed: invalidate the range, before Map returns
 *       grace period; free
 *
 *   The device's cache holds middle tables and leaf tables; an invalidation of one region drops what leads to that region.
 *   The reclaimer works in a section, because a mapper may retire a table that it looks at.
 *
 *   ONE_MAPPING=1 or 2 has the first or the second mapping alone looked up: fewer states.
 *
 * What is checked
 *   - a mapping whose Map returned is found by every walk that begins after, until its Unmap
 *   - no freed table is read or written, and none is freed twice
 *
 * Broken variants, each refuted
 *   NO_BARRIER; BARRIER_BEFORE_LAST_MARK (one barrier, but the second table is marked after it); LARGE_BY_STORE (the entry is read, then
 *   overwritten); LARGE_NO_REREAD; LARGE_NO_FLUSH (only a table that came out is flushed, not what the reclaimer unlinked before);
 *   PLAIN_UNLINK (the reclaimer stores the hole); OUTSIDE_SECTION (the reclaimer holds none)
 */

#define MIDDLES 3
#define LEAVES 5
#define MARK 16
#define LARGE 15
#define NAMED(e) ((e) & 15)
#define IS_TABLE(e) (NAMED(e) != 0 && NAMED(e) != LARGE)

byte Top = 1;                               /* a table's number + 1, and the mark; 0 = none */
byte Middle[6];                             /* [middle table * 2 + region] */
bool Leaf[LEAVES];
byte UsedMiddles = 1;                       /* tables are not used twice, so that a late access shows */
byte UsedLeaves = 2;
bool FreedMiddle[MIDDLES];
bool FreedLeaf[LEAVES];
byte Unflushed;

chan Buffer = [1] of { byte };              /* mapper 1's store of its leaf, not visible yet */

/* Sections of mappers 0 and 1, the walker (2) and the reclaimer (3). Each of the two that free waits for those it saw. */
bool InSection[4];
bool MapperWaits[4];
bool ReclaimerWaits[4];
#define OPEN(p) InSection[p] = true
#define CLOSE(p) InSection[p] = false; MapperWaits[p] = false; ReclaimerWaits[p] = false

byte CachedMiddle;                          /* the device's: a table's number + 1 */
byte CachedLeaf[2];
bool Walking;
bool Draining[3];

bool Mapped[2];                             /* ghost: Map returned */
bool Unmapped;                              /* ghost: mapper 0's first mapping */

inline Fence()
{
    if
    :: nempty(Buffer) -> Buffer?index; assert(!FreedLeaf[index]); Leaf[index] = true; index = 0
    :: empty(Buffer)
    fi
}

proctype DrainBuffer()
{
    byte index;
end:
    do
    :: atomic { nempty(Buffer) -> Fence() }
    od
}

inline FlushRegion(m)
{
    atomic { CachedMiddle = 0; CachedLeaf[m] = 0; Draining[m] = Walking };
    !Draining[m]
}

/* The entry above a middle table is the root's, which is always linked: a mark on it may be cleared, once what is unlinked is flushed. */
inline ClearTopMark(m)
{
    if
    :: Unflushed != 0 -> FlushRegion(m)
    :: else
    fi;
    atomic {
        if
        :: m == 1 -> Fence()
        :: else
        fi;
        if
        :: Top == e -> Top = e & ~MARK
        :: else
        fi
    }
}

inline InstallMiddle(m)
{
    atomic {
        if
        :: m == 1 -> Fence()
        :: else
        fi;
        if
        :: Top == 0 -> UsedMiddles++; assert(UsedMiddles <= MIDDLES); Top = UsedMiddles | MARK
        :: else
        fi
    }
}

proctype LargeMapper()
{
    byte index;
    byte e;
    byte q;
    byte out;
    byte old;

    atomic { Mapped[0] = false; Unmapped = true; Leaf[0] = false; OPEN(0) };
again:
    e = Top;
    if
    :: (e & MARK) != 0 -> ClearTopMark(0); goto again
    :: e == 0 -> InstallMiddle(0); goto again
    :: else -> atomic { q = NAMED(e) - 1; e = 0 }
    fi;
#ifdef LARGE_BY_STORE
    atomic { assert(!FreedMiddle[q]); out = Middle[q * 2] };
    atomic { assert(!FreedMiddle[q]); Middle[q * 2] = LARGE };
#else
    atomic { assert(!FreedMiddle[q]); out = Middle[q * 2]; Middle[q * 2] = LARGE };
#endif
    atomic {
        if
        :: out != 0 -> assert(old == 0); old = NAMED(out); out = 0
        :: else
        fi
    };
#ifndef LARGE_NO_REREAD
confirm:
    e = Top;
    if
    :: e == (q + 1)
    :: e == ((q + 1) | MARK) -> ClearTopMark(0); goto confirm
    :: else ->
        atomic { assert(!FreedMiddle[q]); Middle[q * 2] = 0 };
        FlushRegion(0);
        goto again
    fi;
#endif
    if
    :: old != 0 -> FlushRegion(0)
#ifndef LARGE_NO_FLUSH
    :: old == 0 && Unflushed != 0 -> FlushRegion(0)
    :: old == 0 && Unflushed == 0
#else
    :: else
#endif
    fi;
    atomic { Mapped[0] = true; CLOSE(0); e = 0; q = 0 };
    if
    :: old != 0 ->
        atomic { MapperWaits[1] = InSection[1]; MapperWaits[2] = InSection[2]; MapperWaits[3] = InSection[3] };
        atomic { !MapperWaits[1] && !MapperWaits[2] && !MapperWaits[3] -> assert(!FreedLeaf[old - 1]); FreedLeaf[old - 1] = true; old = 0 }
    :: else
    fi
}

proctype Mapper()
{
    byte index;
    byte e;
    byte q;
    byte t;

    OPEN(1);
again:
    e = Top;
    if
    :: (e & MARK) != 0 -> ClearTopMark(1); goto again
    :: e == 0 -> InstallMiddle(1); goto again
    :: else -> q = NAMED(e) - 1
    fi;
middle:
    atomic { assert(!FreedMiddle[q]); e = Middle[q * 2 + 1] };
    if
    :: (e & MARK) != 0 ->
        if
        :: Top != q + 1 -> goto again
        :: else
        fi;
        if
        :: Unflushed != 0 -> FlushRegion(1)
        :: else
        fi;
        atomic {
            Fence();
            assert(!FreedMiddle[q]);
            if
            :: Middle[q * 2 + 1] == e -> Middle[q * 2 + 1] = e & ~MARK
            :: else
            fi
        };
        goto middle
    :: e == 0 ->
        atomic {
            Fence();
            assert(!FreedMiddle[q]);
            if
            :: Middle[q * 2 + 1] == 0 -> UsedLeaves++; assert(UsedLeaves <= LEAVES); Middle[q * 2 + 1] = UsedLeaves | MARK
            :: else
            fi
        };
        goto middle
    :: else -> t = NAMED(e) - 1
    fi;
    Buffer!t;
    atomic { assert(!FreedMiddle[q]); e = Middle[q * 2 + 1] };
    if
    :: e != t + 1 -> goto again
    :: else
    fi;
    atomic { empty(Buffer) -> Mapped[1] = true; CLOSE(1); e = 0; q = 0; t = 0 }
}

inline Barrier()
{
#ifndef NO_BARRIER
    atomic { Fence() }
#else
    skip
#endif
}

/* Marks the region's leaf table. That it looks empty is a hint that may be wrong by now, so here any table may be marked. */
inline MarkLeaf(region, marked)
{
    atomic {
        assert(!FreedMiddle[q]);
        if
        :: IS_TABLE(Middle[q * 2 + region]) && (Middle[q * 2 + region] & MARK) == 0 ->
            marked = Middle[q * 2 + region] | MARK;
            Middle[q * 2 + region] = marked
        :: else
        fi
    }
}

/* Unlinks it, if it is still empty and still marked; else takes the mark off. Afterwards marked names the table that was unlinked. */
inline UnlinkLeaf(region, marked)
{
    if
    :: marked != 0 ->
        atomic { assert(!FreedLeaf[NAMED(marked) - 1]); used = Leaf[NAMED(marked) - 1] };
        if
        :: atomic { !used -> Unflushed++; count++ }
        :: else
        fi;
        atomic {
            if
#ifdef PLAIN_UNLINK
            :: !used -> Middle[q * 2 + region] = 0
#else
            :: !used && Middle[q * 2 + region] == marked -> Middle[q * 2 + region] = 0
#endif
            :: else ->
                if
                :: Middle[q * 2 + region] == marked -> Middle[q * 2 + region] = marked & ~MARK
                :: else
                fi;
                marked = 0;
                if
                :: !used -> Unflushed--; count--
                :: else
                fi
            fi;
            used = false
        }
    :: else
    fi
}

proctype Reclaimer()
{
    byte index;
    byte q;
    byte first;
    byte second;
    byte middle;
    byte count;
    bool used;

#ifndef OUTSIDE_SECTION
    OPEN(3);
#endif
    atomic {
        if
        :: Top != 0 && (Top & MARK) == 0 -> q = NAMED(Top) - 1
        :: else -> goto done
        fi
    };
#ifdef BARRIER_BEFORE_LAST_MARK
    MarkLeaf(0, first);
    Barrier();
    MarkLeaf(1, second);
#else
    MarkLeaf(0, first);
    MarkLeaf(1, second);
    if
    :: first != 0 || second != 0 -> Barrier()
    :: else
    fi;
#endif
    UnlinkLeaf(0, first);
    UnlinkLeaf(1, second);

    /* The middle table, in the same pass: the flush comes once, at its end. */
    if
    :: first != 0 || second != 0 ->
        atomic {
            if
            :: Top == q + 1 -> middle = (q + 1) | MARK; Top = middle
            :: else
            fi
        };
        if
        :: middle != 0 ->
            Barrier();
            used = Middle[q * 2] != 0;
            atomic { used = used || Middle[q * 2 + 1] != 0; Unflushed++; count++ };
            atomic {
                if
                :: !used && Top == middle -> Top = 0
                :: else ->
                    if
                    :: Top == middle -> Top = middle & ~MARK
                    :: else
                    fi;
                    middle = 0;
                    Unflushed--;
                    count--
                fi;
                used = false
            }
        :: else
        fi
    :: else
    fi;
done:
    atomic { CLOSE(3) };
    if
    :: count != 0 ->
        atomic { CachedMiddle = 0; CachedLeaf[0] = 0; CachedLeaf[1] = 0; Draining[2] = Walking };
        !Draining[2];
        atomic { Unflushed = Unflushed - count; count = 0 };
        atomic { ReclaimerWaits[0] = InSection[0]; ReclaimerWaits[1] = InSection[1]; ReclaimerWaits[2] = InSection[2] };
        atomic {
            !ReclaimerWaits[0] && !ReclaimerWaits[1] && !ReclaimerWaits[2] ->
            if
            :: first != 0 -> assert(!FreedLeaf[NAMED(first) - 1]); FreedLeaf[NAMED(first) - 1] = true
            :: else
            fi;
            if
            :: second != 0 -> assert(!FreedLeaf[NAMED(second) - 1]); FreedLeaf[NAMED(second) - 1] = true
            :: else
            fi;
            if
            :: middle != 0 -> assert(!FreedMiddle[q]); FreedMiddle[q] = true
            :: else
            fi
        }
    :: else
    fi
}

/* A walk for mapping w that began with it mapped found it, or it has been unmapped meanwhile. */
#define JUDGE assert(found || !expected || (w == 0 && Unmapped != unmapped))
#ifdef ONE_MAPPING
#define CHOOSE w = ONE_MAPPING - 1
#else
#define CHOOSE if :: w = 0 :: w = 1 fi
#endif
#define BEGIN CHOOSE; expected = Mapped[w]; unmapped = Unmapped
#define END JUDGE; found = false; expected = false; unmapped = false; e = 0; t = 0; w = 0

proctype Walker()
{
    byte w;
    byte e;
    byte t;
    bool expected;
    bool unmapped;
    bool found;
end:
    do
    :: atomic { OPEN(2); BEGIN };
       e = Top;
       if
       :: e != 0 ->
           t = NAMED(e) - 1;
           atomic { assert(!FreedMiddle[t]); e = Middle[t * 2 + w] };
           if
           :: IS_TABLE(e) -> t = NAMED(e) - 1; atomic { assert(!FreedLeaf[t]); found = Leaf[t] }
           :: else -> found = NAMED(e) == LARGE
           fi
       :: else
       fi;
       atomic { CLOSE(2); END }
    od
}

#define OVERTAKEN (Draining[0] || Draining[1] || Draining[2])

proctype Device()
{
    byte w;
    byte e;
    byte t;
    bool expected;
    bool unmapped;
    bool found;
end:
    do
    :: atomic { Walking = true; BEGIN };
       if
       :: atomic { CachedLeaf[w] != 0 -> e = CachedLeaf[w]; goto leaf }
       :: atomic { CachedMiddle != 0 -> e = CachedMiddle }
       :: e = Top
       fi;
       if
       :: e != 0 -> t = NAMED(e) - 1
       :: else -> goto over
       fi;
       atomic {
           if
           :: !OVERTAKEN -> CachedMiddle = t + 1
           :: else
           fi
       };
       atomic { assert(!FreedMiddle[t]); e = Middle[t * 2 + w] };
       if
       :: IS_TABLE(e)
       :: else -> found = NAMED(e) == LARGE; goto over
       fi;
       atomic {
           e = NAMED(e);
           if
           :: !OVERTAKEN -> CachedLeaf[w] = e
           :: else
           fi
       };
leaf:
       t = NAMED(e) - 1;
       atomic { assert(!FreedLeaf[t]); found = Leaf[t] };
over:
       atomic { Walking = false; Draining[0] = false; Draining[1] = false; Draining[2] = false; END }
    od
}

init
{
    atomic {
        Middle[0] = 1;
        Middle[1] = 2;
        Leaf[0] = true;
        Mapped[0] = true;
        run DrainBuffer();
        run LargeMapper();
        run Mapper();
        run Reclaimer();
#ifndef NO_WALKER
        run Walker();
#endif
#ifndef NO_DEVICE
        run Device()
#endif
    }
}
