import { weekday, type DayNumber } from '#core/baseline/calendar.js'

/** CORE-123. `all` puts every day in one class (a variant of AEMO_10OF10). */
export type DayScheme = 'biz/non' | 'wd/sat/sun' | 'cal' | 'all'
export type DayType = 'biz' | 'non' | 'wd' | 'sat' | 'sun' | 'hol' | 'all'

/** CORE-123: the class in which a day is compared with others. */
export function dayType(scheme: DayScheme, day: DayNumber, isHoliday: boolean): DayType {
  const w = weekday(day), weekend = w === 0 || w === 6
  switch (scheme) {
    case 'biz/non': return weekend || isHoliday ? 'non' : 'biz'
    // Holidays join Sunday.
    case 'wd/sat/sun': return isHoliday || w === 0 ? 'sun' : w === 6 ? 'sat' : 'wd'
    // Saturday and Sunday by the calendar even on holidays; weekday holidays form a class of their own.
    case 'cal': return w === 0 ? 'sun' : w === 6 ? 'sat' : isHoliday ? 'hol' : 'wd'
    case 'all': return 'all'
  }
}
