/* Giving back a table that partial unmaps emptied, while a neighbour maps into it: no mapping is lost, no freed table is read. */

/*
 * What is modelled
 *   A root table with one entry (Top), middle tables with one entry (Middle[q]), leaf tables with two (Leaf[t]): mapper 0 owns the
 *   first, its neighbour, mapper 1, the second. At the start mapper 0 has a mapping: it unmaps it and maps it again, while mapper 1
 *   maps. A reclaimer tries to give back the leaf table and the middle table, a software walker (in a read section) and a device (in
 *   none, with a cache of the tables above the leaf) look mappings up for ever.
 *
 *       mapper, in a section                             reclaimer, in a section
 *       read the path; a missing table is installed by   mark the parent entry of an empty-looking table; it stays present
 *         compare-exchange, marked                       process-wide barrier
 *       a mark met: read the entry above again, it must  scan the table again
 *         lead here, unmarked; if Unflushed, invalidate  count itself in Unflushed (interlocked)
 *         this range; clear the mark by compare-exchange unlink by compare-exchange from exactly the mark, or take the mark off
 *       store the leaf (into a store buffer)             flush, drained; count itself out of Unflushed
 *       read its parent entry again: unless it leads to  grace period; free
 *         the same table, unmarked, start again
 *
 *   So an unmarked entry stands in a table that is linked, and by induction the whole way down is linked when nothing on it is marked.
 *   A device sets the accessed bit of a parent entry when it pleases (compare-exchange): addresses are compared, not whole words.
 *   Stores of mappers go through store buffers (the only reordering that matters here: a store, then a load of another entry; the
 *   reads are acquire loads, so ARM64 adds nothing to it). The grace period is taken as given: rcu.pml is about that.
 *
 * What is checked
 *   - a mapping whose Map returned (and was heard of: its store is visible) is found by every walk that begins after, until its Unmap
 *   - no freed table is read or written: by a walker or a mapper in a section, by a device, by a store still in a buffer
 *
 * What the model taught: two rules that are easily left out
 *   1. Reading the parent entry again after the store is not enough by itself, where there are three levels (broken variant
 *      UNMARKED_INSTALL). Mapper 1 has read Top; the middle table is found empty and unlinked; mapper 0, which also had read Top, installs
 *      a new leaf table in the dead middle table and will notice, and start again; mapper 1 finds that leaf table, stores, sees that the
 *      middle entry still names it, and returns: its mapping hangs in the air. Three cures, all of them right: an installed table is
 *      marked until the entry above was read again (the protocol above); the whole path is read again after the leaf's store (variant
 *      WHOLE_PATH); or one word of the domain tells that nothing was marked or unlinked meanwhile (variant GENERATION). Who installed a
 *      table in a dead one takes it out and retires it.
 *   2. A device may still hold the unlinked table in its paging-structure cache. A neighbour that maps between the unlink and the
 *      flush puts its mapping in a new table; the device goes through the old one and faults (broken variant NO_MAPPER_FLUSH). So no
 *      entry of a new table is confirmed while an unlink is not flushed: the mapper invalidates the range itself. With WHOLE_PATH
 *      every mapper has to look, not only the one that installed the table (broken variant ONLY_INSTALLER_FLUSHES).
 *
 * Broken variants, each refuted
 *   NO_BARRIER, NO_REREAD, UNMARKED_INSTALL, NO_CONFIRM (a mark is cleared without reading the entry above), NO_MARK (unlink from the
 *   plain entry), PLAIN_UNLINK (the hole is stored, not exchanged for the mark), FROZEN_NOT_PRESENT (the marked entry is a hole), MARK_IGNORED (a mapper that meets a mark goes on), NO_MAPPER_FLUSH,
 *   NO_FLUSH, NO_GRACE_PERIOD; with WHOLE_PATH also ONLY_INSTALLER_FLUSHES
 */

#if defined(GENERATION) && !defined(WHOLE_PATH)
#define WHOLE_PATH
#endif
#if defined(WHOLE_PATH) && !defined(UNMARKED_INSTALL)
#define UNMARKED_INSTALL
#define EVERY_ENTRY_AGAIN
#endif

#define MIDDLES 3
#define LEAVES 4
#ifndef ROUNDS
#define ROUNDS 2
#endif

/* A table entry: 0 = none, else the table's number + 1, with the software mark and the hardware's accessed bit. */
#define MARK 16
#ifdef UNMARKED_INSTALL
#define INSTALL_MARK 0
#else
#define INSTALL_MARK MARK
#endif
#define ACCESSED 32
#define NAMED(e) ((e) & 15)
#ifdef FROZEN_NOT_PRESENT
#define PRESENT(e) (NAMED(e) != 0 && ((e) & MARK) == 0)
#else
#define PRESENT(e) (NAMED(e) != 0)
#endif

byte Top = 1;
byte Middle[MIDDLES];
bool Leaf[8];                               /* [leaf table * 2 + mapper] */
byte UsedMiddles = 1;                       /* tables are not used twice, so that a late access shows */
byte UsedLeaves = 1;
bool FreedMiddle[MIDDLES];
bool FreedLeaf[LEAVES];

chan Buffer0 = [2] of { byte, bool };       /* stores to Leaf that are not visible yet */
chan Buffer1 = [2] of { byte, bool };

byte Unflushed;                             /* tables about to be unlinked, or unlinked and not flushed */
#ifdef GENERATION
byte Generation;                            /* grows with each of them, before the mark */
#endif

/* Read sections of the mappers (0, 1) and the walker (2), and those that a grace period waits for. */
bool InSection[3];
bool WaitedFor[3];

/* The device: the leaf table its paging-structure cache names (0 = none), whether it walks, whether a flush waits for that walk. */
byte Cached;
bool Walking;
bool Draining0;
bool Draining1;
bool Draining2;

bool Mapped[2];                             /* ghost: Map returned, and others may know */
byte Unmaps;                                /* ghost */

#define LEAFSTORE(i, v) assert(!FreedLeaf[(i) / 2]); Leaf[i] = v

inline DrainOne(m)
{
    if
    :: m == 0 -> Buffer0?index,value
    :: m == 1 -> Buffer1?index,value
    fi;
    LEAFSTORE(index, value);
    index = 0;
    value = 0
}

inline Fence(m)
{
    if
    :: m == 0 ->
        do
        :: nempty(Buffer0) -> DrainOne(0)
        :: empty(Buffer0) -> break
        od
    :: m == 1 ->
        do
        :: nempty(Buffer1) -> DrainOne(1)
        :: empty(Buffer1) -> break
        od
    fi
}

proctype DrainBuffer(byte m)
{
    byte index;
    bool value;
end:
    do
    :: m == 0 -> atomic { nempty(Buffer0) -> DrainOne(0) }
    :: m == 1 -> atomic { nempty(Buffer1) -> DrainOne(1) }
    od
}

#define OPEN(p) InSection[p] = true
#define CLOSE(p) InSection[p] = false; WaitedFor[p] = false

/* Invalidates what the device has cached and waits for the walk it is in, which fills the cache no more. */
inline Flush(draining)
{
    atomic { Cached = 0; draining = Walking };
    !draining
}

inline UnmapAndClose()
{
    Mapped[0] = false;
    Unmaps++;
    e = Top;
    assert(PRESENT(e));
    q = NAMED(e) - 1;
    assert(!FreedMiddle[q]);
    e = Middle[q];
    assert(PRESENT(e));
    t = NAMED(e) - 1;
    Buffer0!(t * 2),false;
    atomic { empty(Buffer0) -> CLOSE(0); e = 0; q = 0; t = 0 }
}

inline MapperFlush()
{
    if
    :: m == 0 -> Flush(Draining0)
    :: m == 1 -> Flush(Draining1)
    fi
}

/* Clears the mark of an entry that was read as e, and whose table is linked. When that fails, the entry is read again. */
inline ClearMark(entry)
{
#if !defined(EVERY_ENTRY_AGAIN) && !defined(NO_MAPPER_FLUSH)
    if
    :: Unflushed != 0 -> MapperFlush()
    :: else
    fi;
#endif
    atomic {
        Fence(m);
        if
        :: entry == e -> entry = e & ~MARK
        :: else
        fi
    }
}

proctype Mapper(byte m)
{
    byte index;
    bool value;
    byte e;
    byte q;
    byte t;
    bool installed;
#ifdef GENERATION
    byte seen;
#endif

    if
    :: m == 0 ->
        OPEN(0);
        UnmapAndClose()
    :: else
    fi;
    OPEN(m);

again:
#ifdef GENERATION
    atomic { seen = (Unflushed == 0 -> Generation : 255) };
#endif
    /* The way down; each compare-exchange is a full fence. */
    e = Top;
    if
    :: (e & MARK) != 0 -> ClearMark(Top); goto again     /* above it is the root: always linked */
    :: e == 0 ->
        atomic {
            Fence(m);
            if
            :: Top == 0 ->
                UsedMiddles++; Top = UsedMiddles | INSTALL_MARK; assert(UsedMiddles <= MIDDLES); installed = true
            :: else
            fi
        };
        goto again
    :: else -> q = NAMED(e) - 1
    fi;
middle:
    atomic { assert(!FreedMiddle[q]); e = Middle[q] };
    if
    :: (e & MARK) != 0 ->
#if !defined(NO_CONFIRM) && !defined(UNMARKED_INSTALL)
        if
        :: (Top & ~ACCESSED) != q + 1 -> goto again
        :: else
        fi;
#endif
        ClearMark(Middle[q]);
        goto middle
    :: e == 0 ->
        atomic {
            Fence(m);
            if
            :: Middle[q] == 0 ->
                UsedLeaves++; Middle[q] = UsedLeaves | INSTALL_MARK; assert(UsedLeaves <= LEAVES); installed = true
            :: else
            fi
        };
#ifdef UNMARKED_INSTALL
        e = Middle[q];
        if
        :: NAMED(e) == 0 -> goto again
        :: else
        fi
#else
        goto middle                                      /* and meet the mark, as anybody else would */
#endif
    :: else
    fi;
    t = NAMED(e) - 1;

    /* The leaf; then the path again, with nothing between the store and these loads that would drain the buffer. */
    if
    :: m == 0 -> Buffer0!(t * 2),true
    :: m == 1 -> Buffer1!(t * 2 + 1),true
    fi;
#ifdef GENERATION
    if
    :: atomic { seen == Generation && Unflushed == 0 -> goto stored }
    :: atomic { seen != Generation || Unflushed != 0 }
    fi;
#endif
#ifndef NO_REREAD
    atomic { assert(!FreedMiddle[q]); e = Middle[q] };
    if
    :: NAMED(e) != t + 1 -> goto again
#ifndef MARK_IGNORED
    :: NAMED(e) == t + 1 && (e & MARK) != 0 -> goto again
#endif
    :: else
    fi;
#ifdef EVERY_ENTRY_AGAIN
    e = Top;
    if
    :: (e & ~ACCESSED) != q + 1 -> goto again
    :: else
    fi;
#endif
#endif
#if defined(EVERY_ENTRY_AGAIN) && !defined(NO_MAPPER_FLUSH)
    if
#ifdef ONLY_INSTALLER_FLUSHES
    :: Unflushed != 0 && installed -> MapperFlush()
#else
    :: Unflushed != 0 -> MapperFlush()
#endif
    :: else
    fi;
#endif
stored:
    /* Map returns. That others may rely on it is told by a later store, so this one is visible then; so is the closed section. */
    if
    :: m == 0 -> atomic { empty(Buffer0) -> Mapped[0] = true; CLOSE(0) }
    :: m == 1 -> atomic { empty(Buffer1) -> Mapped[1] = true; CLOSE(1) }
    fi
}

/* With a generation the count goes up before the mark: it is also the sign that a reclaim is under way. Else before the unlink. */
inline BeginReclaim()
{
#ifdef GENERATION
    atomic { Unflushed++; Generation++ }
#else
    skip
#endif
}

inline BeforeUnlink()
{
#ifndef GENERATION
    Unflushed++
#else
    skip
#endif
}

/* Each mapper passes a full fence, one after the other. */
inline ProcessWideBarrier()
{
#ifndef NO_BARRIER
    atomic { Fence(0) };
    atomic { Fence(1) }
#else
    skip
#endif
}

inline FlushAndWait()
{
#ifndef NO_FLUSH
    Flush(Draining2);
#endif
    Unflushed--;
#ifndef NO_GRACE_PERIOD
    atomic { WaitedFor[0] = InSection[0]; WaitedFor[1] = InSection[1]; WaitedFor[2] = InSection[2] };
    atomic { !WaitedFor[0] && !WaitedFor[1] && !WaitedFor[2] -> skip }
#endif
}

#ifdef NO_MARK
#define MARKED(e) (e)
#else
#define MARKED(e) ((e) | MARK)
#endif

proctype Reclaimer()
{
    byte index;
    bool value;
    byte rounds;
    byte e;
    byte q;
    byte t;
    bool gone;

    do
    :: rounds < ROUNDS ->
        rounds++;
        /* Only the reclaimer frees here, so it needs no section of its own in the model. */
        e = Top;
        if
        :: e == 0 -> goto next
        :: else -> q = NAMED(e) - 1
        fi;
        if
        :: NAMED(Middle[q]) != 0 ->             /* the leaf table, if it looks empty */
            atomic {
                t = NAMED(Middle[q]) - 1;
                if
                :: Leaf[t * 2] || Leaf[t * 2 + 1] -> goto next
                :: else
                fi
            };
            BeginReclaim();
            atomic { e = MARKED(Middle[q]); Middle[q] = e };
            ProcessWideBarrier();
            gone = !Leaf[t * 2];
            gone = gone && !Leaf[t * 2 + 1];
            BeforeUnlink();
            atomic {
                if
#ifdef PLAIN_UNLINK
                :: gone -> Middle[q] = 0
#else
                :: gone && Middle[q] == e -> Middle[q] = 0
#endif
                :: else -> gone = false; Middle[q] = Middle[q] & ~MARK
                fi
            };
            if
            :: gone -> FlushAndWait(); FreedLeaf[t] = true
            :: else -> Unflushed--
            fi
        :: NAMED(Middle[q]) == 0 ->             /* the middle table */
            BeginReclaim();
            atomic { e = MARKED(Top); Top = e };
            ProcessWideBarrier();
            gone = Middle[q] == 0;
            BeforeUnlink();
            atomic {
                if
                :: gone && Top == e -> Top = 0
                :: else -> gone = false; Top = Top & ~MARK
                fi
            };
            if
            :: gone -> FlushAndWait(); FreedMiddle[q] = true
            :: else -> Unflushed--
            fi
        fi;
next:
        atomic { gone = false; e = 0; q = 0; t = 0 }
    :: else -> break
    od
}

/* What a walk looks for: the neighbour's mapping, which is never unmapped; with BOTH either one. */
#ifdef BOTH
#define CHOOSE if :: w = 0 :: w = 1 fi
#define REMEMBER unmaps = Unmaps
#else
#define REMEMBER skip
#define CHOOSE w = 1
#endif

/* Ends a walk for mapping w that began with it mapped: it was found, or has been unmapped meanwhile. */
#define JUDGE assert(found || !expected || (w == 0 && Unmaps != unmaps))

proctype Walker()
{
    byte w;
    bool expected;
    byte unmaps;
    bool found;
    byte e;
    byte t;
end:
    do
    :: atomic {
           OPEN(2);
           CHOOSE;
           expected = Mapped[w];
           REMEMBER
       };
       e = Top;
       if
       :: PRESENT(e) ->
           t = NAMED(e) - 1;
           atomic { assert(!FreedMiddle[t]); e = Middle[t] };
           if
           :: PRESENT(e) -> t = NAMED(e) - 1; atomic { assert(!FreedLeaf[t]); found = Leaf[t * 2 + w] }
           :: else
           fi
       :: else
       fi;
       atomic { JUDGE; CLOSE(2); found = false; expected = false; unmaps = 0; e = 0; t = 0; w = 0 }
    od
}

proctype Device()
{
    byte w;
    bool expected;
    byte unmaps;
    bool found;
    byte e;
    byte t;
end:
    do
    :: atomic {
           Walking = true;
           CHOOSE;
           expected = Mapped[w];
           REMEMBER
       };
       if
       :: atomic { Cached != 0 -> t = Cached }
       :: atomic { true -> e = Top;
#ifdef SETS_ACCESSED
              if
              :: PRESENT(e) -> Top = e | ACCESSED
              :: else
              fi
#endif
          };
          if
          :: PRESENT(e) ->
              t = NAMED(e) - 1;
              atomic {
                  assert(!FreedMiddle[t]);
                  e = Middle[t];
#ifdef SETS_ACCESSED
                  if
                  :: PRESENT(e) -> Middle[t] = e | ACCESSED
                  :: else
                  fi;
#endif
                  t = 0
              };
              if
              :: PRESENT(e) -> atomic {
                     t = NAMED(e);
                     if
                     :: Draining0 || Draining1 || Draining2
                     :: else -> Cached = t
                     fi
                 }
              :: else
              fi
          :: else
          fi
       fi;
       if
       :: t != 0 -> atomic { assert(!FreedLeaf[t - 1]); found = Leaf[(t - 1) * 2 + w] }
       :: else
       fi;
       atomic {
           JUDGE;
           Walking = false; Draining0 = false; Draining1 = false; Draining2 = false;
           found = false; expected = false; unmaps = 0; e = 0; t = 0; w = 0
       }
    od
}

init
{
    atomic {
        Middle[0] = 1;
        Leaf[0] = true;
        Mapped[0] = true;
        run DrainBuffer(0);
        run DrainBuffer(1);
        run Mapper(0);
        run Mapper(1);
        run Reclaimer();
#ifndef NO_WALKER
        run Walker();
#endif
#ifndef NO_DEVICE
        run Device()
#endif
    }
}
